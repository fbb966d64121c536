//! Uploads files.
