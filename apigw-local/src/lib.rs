//! A strict stand-in for Amazon API Gateway in one process, WebSocket and REST
