//! Load driver and benchmarks; never published
