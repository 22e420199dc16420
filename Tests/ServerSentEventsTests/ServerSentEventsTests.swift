// Tests of ServerSentEvents.
