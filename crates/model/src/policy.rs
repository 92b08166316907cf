//! What administrators decided about chat, as one plain value.

use serde::Serialize;

/// The vendor's two policies for client-to-client encryption (planning guide, Client-to-Client
/// Encryption): which of encrypted and plain messages may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum EncryptionPolicy {
    /// AES false, no encoding true: never encrypted, no keys are published.
    Off,
    /// Both true: encrypted where the other side can, and plain messages are taken.
    Optional,
    /// AES true, no encoding false: nothing goes out or is taken in clear.
    Required,
    /// No administrator decided: the user switches each conversation.
    ByUser,
}

/// Chat policy. The default is that of the vendor's documentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatPolicy {
    /// Messages are kept on this computer (`Disable_IM_History` false).
    pub history: bool,
    /// Days after which kept messages are deleted; 0 keeps them.
    pub retention_days: u32,
    /// Folder into which each conversation is written as text as well (`AutosaveChatsLocation`).
    pub archive_folder: Option<String>,
    /// Files may be sent and taken (`File_Transfer_Enabled`).
    pub files: bool,
    /// Pictures of the screen may be sent (`Screen_Capture_Enabled`).
    pub captures: bool,
    /// File endings that are refused, lower case without dot (`Disallowed_File_Transfer_Types`).
    pub refused_endings: Vec<String>,
    /// Largest file in bytes, where one is set.
    pub largest_file: Option<u64>,
    /// Files go over the server only: we are outside, through the edge.
    pub managed_files_only: bool,
    /// Files are taken without a question (`AutoAcceptFileTransfer`).
    pub accept_files: bool,
    /// Persistent rooms may be used (`Persistent_Chat_Enabled`). True on standard servers.
    pub persistent_rooms: bool,
    /// Naming somebody alerts them: in chats with one person, in ad hoc rooms, in persistent rooms.
    pub mentions: [bool; 3],
    /// Minutes without key or pointer until "away"; nothing never (`Set_Status_Away_On_Inactive`,
    /// `Set_Status_Inactive_Timeout`).
    pub away_after_minutes: Option<u32>,
    /// A locked screen means away (`Set_Status_Away_On_Lock_OS`).
    pub away_when_locked: bool,
    /// The server's calendar integration sets "In a meeting", so the client does not.
    pub server_sets_meetings: bool,
    /// The server learns of calls from the phone system and sets "On a call", so the client does
    /// not.
    pub server_sets_calls: bool,
    /// Client-to-client encryption.
    pub encryption: EncryptionPolicy,
    /// The server keeps no messages for those who are away (`OfflineIM.suppress`).
    pub no_offline_messages: bool,
    /// The dialect of the vendor's servers: rooms are named and nicknames chosen as there.
    pub vendor: bool,
}

impl Default for ChatPolicy {
    fn default() -> Self {
        Self {
            history: true,
            retention_days: 0,
            archive_folder: None,
            files: true,
            captures: true,
            refused_endings: Vec::new(),
            largest_file: None,
            managed_files_only: false,
            accept_files: false,
            persistent_rooms: true,
            mentions: [true; 3],
            away_after_minutes: Some(15),
            away_when_locked: true,
            server_sets_meetings: false,
            server_sets_calls: false,
            encryption: EncryptionPolicy::ByUser,
            no_offline_messages: false,
            vendor: false,
        }
    }
}
