"""
The embedded MQTT broker: a hardened subclass of amqtt's, for loopback only.

Read in this order: door, limits, topics, packets, rare, greeting, subscriptions, window, wire, peer,
embedded, serve.
"""
