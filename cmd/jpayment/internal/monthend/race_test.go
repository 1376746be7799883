//go:build race

package monthend

const raceDetector = true
