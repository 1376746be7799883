//go:build !race

package monthend

const raceDetector = false
