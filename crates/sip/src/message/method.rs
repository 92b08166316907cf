//! Request methods.

use std::fmt;

macro_rules! methods {
    ($($variant:ident = $text:literal,)*) => {
        /// A request method. Methods are compared with regard to case (RFC 3261 section 7.1).
        #[allow(missing_docs, reason = "the variants are the method names themselves")]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Method { $($variant,)* Other(Box<str>) }

        impl Method {
            /// The method written so, or nothing when it is no token.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ if super::text::is_token(text) => Some(Self::Other(text.into())),
                    _ => None,
                }
            }

            /// The method as it is written.
            pub fn as_str(&self) -> &str {
                match self { $(Self::$variant => $text,)* Self::Other(text) => text }
            }
        }
    };
}

methods! {
    Ack = "ACK",
    Bye = "BYE",
    Cancel = "CANCEL",
    Info = "INFO",
    Invite = "INVITE",
    Message = "MESSAGE",
    Notify = "NOTIFY",
    Options = "OPTIONS",
    Prack = "PRACK",
    Publish = "PUBLISH",
    Refer = "REFER",
    Register = "REGISTER",
    Subscribe = "SUBSCRIBE",
    Update = "UPDATE",
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
