"""HTTP/2, as the wire client speaks it: frames, header blocks, connections and their streams."""
