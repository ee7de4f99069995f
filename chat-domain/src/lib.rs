//! The pure core of a 1:1 chat: model, ports and use cases
