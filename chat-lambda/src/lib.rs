//! API Gateway events in, use case, responses out: the chat's wire format and handlers
