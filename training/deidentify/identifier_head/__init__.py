"""The trained head that tells identifiers from other words where no list and no cue decides."""
