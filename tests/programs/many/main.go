// Command many shows a program of many packages: its covmeta is larger than one page, and some of
// its functions stay uncovered.
package main

import (
	"fmt"

	"example.com/integcov/programs/many/p01"
	"example.com/integcov/programs/many/p02"
	"example.com/integcov/programs/many/p03"
	"example.com/integcov/programs/many/p04"
	"example.com/integcov/programs/many/p05"
	"example.com/integcov/programs/many/p06"
	"example.com/integcov/programs/many/p07"
	"example.com/integcov/programs/many/p08"
	"example.com/integcov/programs/many/p09"
	"example.com/integcov/programs/many/p10"
	"example.com/integcov/programs/many/p11"
	"example.com/integcov/programs/many/p12"
)

func main() {
	fmt.Println(p01.Add(3, 4, 5))
	fmt.Println(p02.Sub(9, 4))
	fmt.Println(p03.Mul(6, 7))
	fmt.Println(p04.Div(17, 5))
	fmt.Println(p05.Sign(-8))
	fmt.Println(p06.Larger(2, 3))
	fmt.Println(p07.Parity(11))
	fmt.Println(p08.Digits(12345))
	fmt.Println(p09.Factorial(6))
	fmt.Println(p10.Collatz(27))
	fmt.Println(p11.Gcd(48, 36))
	p12.Touch()
}
