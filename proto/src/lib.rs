//! The gRPC contracts and event payloads of every service, generated from the `.proto` files of this folder.
//!
//! Nothing here is written by hand but this page: a type's documentation stands in its `.proto` file.
#![expect(
    missing_docs,
    clippy::all,
    reason = "generated code; its documentation stands in the proto files"
)]

include!(concat!(env!("OUT_DIR"), "/packages.rs"));

/// Encoded `google.protobuf.FileDescriptorSet` of all contracts, for reflection and for decoding records.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/wathiq.binpb"));
