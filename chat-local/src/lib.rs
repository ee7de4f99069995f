//! The whole chat in one process, for development
