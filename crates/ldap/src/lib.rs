//! Questions to directories (RFC 4511) over the network, bounded against servers that lie.
