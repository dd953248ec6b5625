//go:build handler

package main

import _ "github.com/go-integcov/go-integcov/src/handler"
