"""The tour: the story of automatic differentiation, computed while you watch.

It uses Adjoint as any program would, under the name ``torch``. ``adjoint.tour.story`` tells it;
that module needs rich and matplotlib, which Adjoint itself does without.
"""
