//! NAR.
