//! One client: bytes in, requests out, replies in order.
