// Sources of ServerSentEvents.
