"""Bytes to arrays and back: audio, images, video; every size limit.

Nothing here knows HTTP or a model. Refusals are the exceptions of `errors`.
"""
