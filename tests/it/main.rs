//! Behaviour of the crate and its binary, one module an area. One binary, so that everything
//! links once.

mod export;
mod metrics;
