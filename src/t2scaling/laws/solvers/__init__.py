"""What finds the parameters. Everything here knows arrays only: no law, no table, no file.

powers, nnls     sums of power laws as linear problems in their coefficients
newton           damped Newton descent in a box, for many small problems side by side
varpro           the default solver of sums of power laws: variable projection
restarts         the paper's protocol: L-BFGS-B from random starts, with E on a grid in stage 1
logfit           Hoffmann's Huber loss in log space, and squared log errors
sums             all of these under one signature
beta, success    from a loss to pass@k: the mean and the concentration of success, and their least squares
bottleneck       the index that parameters and tokens move, fitted robustly
quantiles        from an index to the success of every question, without a family
zero_inflated    from few samples per question to many
rootfind         roots and minima in one dimension, for whole arrays
"""
