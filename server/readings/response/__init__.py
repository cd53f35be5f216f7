"""Target lesions over the dates of one patient, judged by the rules of RECIST 1.1.

rules      the rules (pure): sums, baseline, nadir, category
table      the marked measurements of a patient's studies as the person may see them, brought into the rules
api        the table over HTTP

It is arithmetic over what readers measured and marked. Lesions that are no targets are not part of it, and it is no
diagnosis.
"""
