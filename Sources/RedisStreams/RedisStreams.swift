// Sources of RedisStreams.
