//! People: who they are, where they are found, and by what.

pub mod ldap;
