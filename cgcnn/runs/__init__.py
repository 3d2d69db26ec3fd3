"""When and where training happens: the store is the wire and the only truth."""
