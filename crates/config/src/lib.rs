//! What the servers say about a user, read into plain types.
