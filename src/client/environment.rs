//! Names of environment variables. The library reads none: its users decide whether to.
//!
//! In each list the first name is ours, the others are those of the vendor's SDKs.

/// The API key.
pub(crate) const KEY: &str = "DASHSCOPE_API_KEY";
/// The path of a file that holds the key.
pub(crate) const KEY_FILE: &str = "DASHSCOPE_API_KEY_FILE_PATH";
/// The region or platform.
pub(crate) const REGION: [&str; 2] = ["DASHSCOPE_REGION", "DASHSCOPE_API_REGION"];
/// The id of a workspace.
pub(crate) const WORKSPACE: [&str; 2] = ["DASHSCOPE_WORKSPACE", "DASHSCOPE_WORKSPACE_ID"];
/// Another host, including `/api/v1`.
pub(crate) const BASE_URL: [&str; 2] = ["DASHSCOPE_HTTP_BASE_URL", "DASHSCOPE_BASE_URL"];
