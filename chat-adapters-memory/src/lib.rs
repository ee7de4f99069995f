//! Every port of chat-domain in memory
