package main

// The only block of this file: its count is the number of calls.
func hit() { hits++ }

var hits int
