// Tests of RedisStreams.
