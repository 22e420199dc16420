// Sources of Replay.
