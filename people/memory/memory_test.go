package memory

import (
	"testing"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/people/peopletest"
)

func TestContract(t *testing.T) {
	peopletest.Test(t, func(*testing.T) people.Store { return &Store{} })
}
