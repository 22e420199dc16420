// Sources of Reactor.
