//! Header names: the ones this crate knows, in full and compact form.

macro_rules! names {
    ($($variant:ident = $text:literal $(| $compact:literal)?,)*) => {
        /// A header name this crate knows.
        #[allow(missing_docs, reason = "the variants are the header names themselves")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Name { $($variant,)* }

        const KNOWN: &[(Name, &str)] = &[
            $((Name::$variant, $text),)*
            $($((Name::$variant, $compact),)?)*
        ];

        impl Name {
            /// The name as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

names! {
    Accept = "Accept",
    AlertInfo = "Alert-Info",
    Allow = "Allow",
    AllowEvents = "Allow-Events" | "u",
    AnswerMode = "Answer-Mode",
    AuthenticationInfo = "Authentication-Info",
    Authorization = "Authorization",
    CallId = "Call-ID" | "i",
    CallInfo = "Call-Info",
    Contact = "Contact" | "m",
    ContentDisposition = "Content-Disposition",
    ContentEncoding = "Content-Encoding" | "e",
    ContentId = "Content-ID",
    ContentLength = "Content-Length" | "l",
    ContentType = "Content-Type" | "c",
    Cseq = "CSeq",
    Date = "Date",
    Diversion = "Diversion",
    Event = "Event" | "o",
    Expires = "Expires",
    FlowTimer = "Flow-Timer",
    From = "From" | "f",
    HistoryInfo = "History-Info",
    InfoPackage = "Info-Package",
    Join = "Join",
    MaxForwards = "Max-Forwards",
    MimeVersion = "MIME-Version",
    MinExpires = "Min-Expires",
    MinSe = "Min-SE",
    PAssertedIdentity = "P-Asserted-Identity",
    PAssociatedUri = "P-Associated-URI",
    PPreferredIdentity = "P-Preferred-Identity",
    Path = "Path",
    PrivAnswerMode = "Priv-Answer-Mode",
    Privacy = "Privacy",
    ProxyAuthenticate = "Proxy-Authenticate",
    ProxyAuthorization = "Proxy-Authorization",
    ProxyRequire = "Proxy-Require",
    RAck = "RAck",
    RSeq = "RSeq",
    RtpRxStat = "RTP-RxStat",
    RtpTxStat = "RTP-TxStat",
    Reason = "Reason",
    RecordRoute = "Record-Route",
    RecvInfo = "Recv-Info",
    ReferSub = "Refer-Sub",
    ReferTo = "Refer-To" | "r",
    ReferredBy = "Referred-By" | "b",
    RemotePartyId = "Remote-Party-ID",
    Replaces = "Replaces",
    Require = "Require",
    RetryAfter = "Retry-After",
    Route = "Route",
    Server = "Server",
    ServiceRoute = "Service-Route",
    SessionExpires = "Session-Expires" | "x",
    SessionId = "Session-ID",
    SipEtag = "SIP-ETag",
    SipIfMatch = "SIP-If-Match",
    Subject = "Subject" | "s",
    SubscriptionState = "Subscription-State",
    Supported = "Supported" | "k",
    Timestamp = "Timestamp",
    To = "To" | "t",
    Unsupported = "Unsupported",
    UserAgent = "User-Agent",
    Via = "Via" | "v",
    Warning = "Warning",
    WwwAuthenticate = "WWW-Authenticate",
}

const SIZE: usize = 256;
const EMPTY: u8 = u8::MAX;

const fn slot(text: &[u8]) -> usize {
    let first = (text[0] | 0x20) as usize;
    let last = (text[text.len() - 1] | 0x20) as usize;
    (first * 31 + last * 7 + text.len() * 13) % SIZE
}

/// Open addressing, built by the compiler: header names are looked up for every header of every
/// message.
const TABLE: [u8; SIZE] = {
    let mut table = [EMPTY; SIZE];
    let mut index = 0;
    while index < KNOWN.len() {
        let mut at = slot(KNOWN[index].1.as_bytes());
        while table[at] != EMPTY {
            at = (at + 1) % SIZE;
        }
        table[at] = index as u8;
        index += 1;
    }
    table
};

impl Name {
    /// The name in its compact form, where it has one (RFC 3261 section 7.3.3).
    pub fn compact(self) -> &'static str {
        let compact = KNOWN.iter().rfind(|(name, _)| *name == self);
        compact.map_or(self.as_str(), |(_, text)| text)
    }

    /// The name written so, in full or compact, in any case.
    pub fn find(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let mut at = slot(text.as_bytes());
        loop {
            let (name, known) = KNOWN.get(usize::from(TABLE[at]))?;
            if *known == text || known.eq_ignore_ascii_case(text) {
                return Some(*name);
            }
            at = (at + 1) % SIZE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, Name};

    #[test]
    fn compact_names_are_single_letters() {
        assert_eq!((Name::Via.compact(), Name::CallId.compact()), ("v", "i"));
        assert_eq!(Name::MaxForwards.compact(), "Max-Forwards");
    }

    #[test]
    fn every_name_is_found_in_any_case() {
        for (name, text) in KNOWN {
            assert_eq!(Name::find(&text.to_uppercase()), Some(*name), "{text}");
            assert_eq!(Name::find(&text.to_lowercase()), Some(*name), "{text}");
        }
        for unknown in ["", "Z", "Content-Lengt", "q", "Vias"] {
            assert_eq!(Name::find(unknown), None, "{unknown}");
        }
    }
}
