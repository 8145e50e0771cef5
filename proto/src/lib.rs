//! The gRPC contracts and event payloads of every service, generated from the `.proto` files of this folder.
//!
//! Nothing here is written by hand but this page: a type's documentation stands in its `.proto` file.
#![expect(
    clippy::allow_attributes,
    reason = "generated code carries its own allowances"
)]

include!(concat!(env!("OUT_DIR"), "/packages.rs"));

/// Encoded `google.protobuf.FileDescriptorSet` of all contracts, for reflection and for decoding records.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/wathiq.binpb"));
