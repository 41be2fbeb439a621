-- No query reads steps by time: `timers` say when a run is looked at again, and its steps are read by run.
DROP INDEX steps_due;
