//! The organisation's directory by LDAP: from settings to a plan, from a wish to questions, and
//! from what a server answers to people.
