//! Nothing but a home for the test targets beside it.
