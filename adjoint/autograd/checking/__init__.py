"""What ``gradcheck`` is made of: difference quotients, what the tape says, and their comparison."""
