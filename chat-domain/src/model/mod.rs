//! The model: values that are checked once and right from then on, and the aggregate [`Room`](room::Room)
//! with the rules.

pub(crate) mod attachment;
pub(crate) mod attachment_refused;
pub(crate) mod client_message_id;
pub(crate) mod correlation;
pub(crate) mod email;
pub(crate) mod identity;
mod image;
pub(crate) mod image_type;
pub(crate) mod message;
pub(crate) mod proposal;
pub(crate) mod rate;
pub(crate) mod room;
pub(crate) mod room_id;
pub(crate) mod tag;
pub(crate) mod text;
pub(crate) mod timestamp;
