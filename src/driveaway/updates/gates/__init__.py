"""Gates: which car may switch a function on, where, and since when; one definition, two evaluators.

``expression`` defines gates, ``text`` and ``tables`` read them, ``judging`` evaluates one car (also in the
car, without NumPy), ``columns`` and ``fleet`` many cars at once, ``session`` is the policy's state machine
in the car.
"""
