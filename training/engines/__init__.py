"""One step done for many shards, in this process, in several, or on a cluster: what comes back is the same, in the same order."""
