//! The server's archive (XEP-0313).

use offhook_model::Jid;

use crate::Im;

impl Im {
    /// This computer has no older messages of the conversation: the server's archive may.
    pub(crate) fn ask_older(&mut self, with: &Jid) {
        self.set_older(with, false);
    }
}
