"""
The two MQTT brokers of a gateway: on loopback one of our own, in a LAN Mosquitto.

The embedded one is a hardened subclass of amqtt's. Read it in this order: door, limits, topics, packets, rare, greeting,
subscriptions, window, wire, peer, embedded, serve. Of Mosquitto, mosquitto says how it is configured, material what it
believes and shows, and keeper keeps it running.
"""
