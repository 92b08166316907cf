//! Deleting messages: a conversation's, old ones, all. What is to be sent always stays.

use offhook_model::{Jid, MessageId};
use rusqlite::params;

use crate::base::Base;
use crate::schema::COUNT_BITS;

impl Base {
    /// Deletes a conversation's messages; what is to be sent stays.
    pub fn clear(&mut self, with: &Jid) -> Result<(), String> {
        let Some(chat) = self.known_chat(with)? else { return Ok(()) };
        self.whole(|base| {
            let gone = base.run(
                "DELETE FROM message WHERE chat = ?1 AND NOT (own = 1 AND state = 0)",
                [chat],
            )?;
            base.forget_words(gone)?;
            base.recount(chat)
        })
    }

    /// Deletes what is older than this, in milliseconds since 1970; what is to be sent stays.
    pub fn expire(&mut self, before: i64) -> Result<(), String> {
        let bound = before.clamp(0, i64::MAX >> (COUNT_BITS + 1)) << COUNT_BITS;
        self.whole(|base| {
            let gone = base.run(
                "DELETE FROM message WHERE number < ?1 AND NOT (own = 1 AND state = 0)",
                [bound],
            )?;
            if gone == 0 {
                return Ok(());
            }
            base.forget_words(gone)?;
            base.recount_all()
        })
    }

    /// Deletes every message that is not to be sent, and what is kept beside conversations. The
    /// index is made anew out of what is left, which is quicker than to take each message out.
    pub fn forget_messages(&mut self) -> Result<(), String> {
        self.whole(|base| {
            let trigger: Option<String> =
                base.one("SELECT sql FROM sqlite_schema WHERE name = 'message_gone'", [])?;
            base.run("DROP TRIGGER IF EXISTS message_gone", [])?;
            base.run("DELETE FROM message WHERE NOT (own = 1 AND state = 0)", [])?;
            base.run("INSERT INTO word (word) VALUES ('rebuild')", [])?;
            base.run(&trigger.ok_or("it is damaged")?, [])?;
            base.chats.clear();
            base.run("DELETE FROM chat WHERE number NOT IN (SELECT chat FROM message)", [])?;
            base.run(
                "UPDATE chat SET name = NULL, draft = '', alerts = 0, encrypt = NULL, known = 0",
                [],
            )?;
            base.recount_all()
        })
    }

    /// Deletes one own message that no longer waits.
    pub fn forget_sent(&mut self, id: &MessageId) -> Result<(), String> {
        self.whole(|base| {
            let chat: Option<i64> =
                base.one("SELECT chat FROM message WHERE id = ?1 AND own = 1", params![id.0])?;
            base.run("DELETE FROM message WHERE id = ?1 AND own = 1", params![id.0])?;
            chat.map_or(Ok(()), |chat| base.recount(chat))
        })
    }

    /// The index keeps deleted words until its parts are merged; where much went, that is now.
    fn forget_words(&self, gone: usize) -> Result<(), String> {
        if gone == 0 {
            return Ok(());
        }
        self.run("INSERT INTO word (word) VALUES ('optimize')", []).map(drop)
    }

    /// Makes a conversation's figures anew.
    pub(crate) fn recount(&self, chat: i64) -> Result<(), String> {
        self.run(&format!("{RECOUNT} WHERE number = ?1"), [chat]).map(drop)
    }

    fn recount_all(&self) -> Result<(), String> {
        self.run(RECOUNT, []).map(drop)
    }
}

/// Makes a conversation's figures anew, out of small indexes.
const RECOUNT: &str = "UPDATE chat SET
    last = (SELECT MAX(message.number) FROM message WHERE message.chat = chat.number),
    unread = (SELECT COUNT(*) FROM message
              WHERE message.chat = chat.number AND own = 0 AND state < 3),
    mentions = (SELECT COUNT(*) FROM message
                WHERE message.chat = chat.number AND own = 0 AND state < 3 AND named = 1)";
