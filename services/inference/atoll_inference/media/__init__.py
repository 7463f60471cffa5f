"""Bytes to arrays and back: images, audio, video, with every size limit.

Empty in this release: the chat models take text alone. The first engine that takes a picture or
a recording brings its decoder here, so that limits are set in one place.
"""
