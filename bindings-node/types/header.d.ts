// Made by `npm run build` from types/header.d.ts and the addon's Rust code. Do not edit.

import type { EventEmitter } from 'node:events'

/**
 * A picture: pixels, or an encoded JPEG, PNG or WebP (up to 20 MiB and 50 million pixels, turned upright by its EXIF
 * orientation) as bytes, as base64, or as a `data:` URI. It is copied when the call's turn comes, so that waiting calls
 * cost no memory: leave it as it is until the promise settles.
 */
export type ImageInput = Frame | Uint8Array | string

/** Options of a call that can be cancelled. */
export interface Abortable {
  /**
   * When it is aborted, the promise rejects with its `reason` at once. A call that waits never begins. A call that has
   * begun runs to its end (an analysis takes tens of milliseconds), and its result is dropped. A download stops.
   */
  signal?: AbortSignal
}

/** What is thrown, and what promises reject with, unless a signal was aborted. */
export declare class FaceAttendError extends Error {
  constructor(code: FaceAttendErrorCode, message: string, options?: ErrorOptions)
  readonly name: 'FaceAttendError'
  /** A stable code to decide by; messages may change. */
  readonly code: FaceAttendErrorCode
}

/** Why a frame of a liveness session did not count, or a remark on its quality. */
export type LivenessReasonCode =
  | 'no_face'
  | 'several_faces'
  | 'face_unclear'
  | 'wrong_pose'
  | 'different_person'
  | 'frozen_picture'
  | 'no_parallax'
  | 'no_relief'
  | 'out_of_order'
  | 'wrong_turn'
  | 'wrong_nonce'
  | 'replayed_frame'
  | 'mirrored_frame'
  | 'bad_timestamp'
  | 'source_changed'
  | 'track_broken'
  | 'not_steady'
  | 'already_enrolled'
  | 'unlike_face'
  | 'spoof_suspected'
  | 'passive_check_missing'
  | 'duplicate_frame'
  | 'stale_frame'
  | 'model_changed'
  | 'too_many_attempts'
  | 'expired'
  | QualityReason

/** Why a face in view of a camera is not known to be a living person's. */
export type LifeReason = 'few_views' | 'little_movement' | 'passive_low' | 'frozen' | 'unanswered'

/**
 * One change of a roster. A student is named by the key or the roll number, a group by the key or the name. Days are
 * `YYYY-MM-DD`; where a first day may be left out, it is the day of the change.
 */
export type RosterChange =
  /** A student with this roll number is there and has this name. */
  | { change: 'student'; rollNumber: string; name: string }
  /** A group with this name is there and is not archived. The kind (`class`) is that of a group that has to be made. */
  | { change: 'group'; name: string; kind?: GroupKind }
  /** The student is a member from a day on, up to the day before `untilDay`. */
  | {
      change: 'join'
      student: number | string
      group: number | string
      fromDay?: string
      untilDay?: string | null
    }
  /** The student is no member from `untilDay` on. */
  | { change: 'leave'; student: number | string; group: number | string; untilDay?: string }
  /** A membership has these days. */
  | { change: 'redate'; membership: number; fromDay: string; untilDay?: string | null }
  /** The student has left: all memberships end, and nobody expects the student from that day on. */
  | { change: 'withdraw'; student: number | string; fromDay?: string }
  /** The student who was withdrawn is expected again from a day on. Memberships do not come back. */
  | { change: 'readmit'; student: number | string; fromDay?: string }
  /** The student is not expected before a day. */
  | { change: 'first_day'; student: number | string; day: string }

/** How much analysis work this thread has. */
export interface Load {
  /** Calls that run. */
  running: number
  /** Calls that wait for their turn. */
  waiting: number
  /** How many work at once at most: the processors, but one thread less than libuv has (`UV_THREADPOOL_SIZE`, 4). */
  limit: number
}

/**
 * Returns how much analysis work there is. The package refuses no call: a service checks this before it takes more, and
 * answers "busy" while `waiting` is more than it accepts.
 */
export declare function load(): Load

/** What a camera is read with. */
export interface CameraOptions extends CameraReadOptions, Abortable {
  /** Analyzes every frame. Without it, events carry pixels. */
  engine?: Engine
  /** Says whose faces they are; needs an engine. */
  gallery?: Gallery
  /** Marks whom the gallery knows; needs a gallery. */
  book?: AttendanceBook
}

/** The events of a camera, with what their listeners get. */
export interface CameraEvents {
  /** A frame, unless the program iterates. The next one is analyzed when the listeners have returned. */
  frame: [frame: CameraFrame]
  state: [state: CameraState]
  /**
   * Somebody was recognized and is not marked, because the views did not show in time that the person is alive; with a
   * book the sighting is on the second-look list of its store. When `stop` is called, those who were being watched come
   * before its promise resolves.
   */
  secondLook: [sighting: Sighting]
  /** A face shows a picture of a person. Each is told once. */
  suspected: [sighting: Sighting]
  /** A frame could not be analyzed; the camera continues. */
  problem: [error: FaceAttendError]
  /** The camera has failed for good. Not emitted when nobody listens. */
  error: [error: FaceAttendError]
  /** Nothing more will come. */
  end: []
}

/**
 * A camera or recording. Frames come by `for await` or by the event `frame`; a slow consumer misses frames and never
 * gets an old one. It runs, and keeps the process alive, until it is stopped or a recording ends.
 *
 * Folders of pictures and motion-JPEG AVI files need nothing else; USB cameras, streams and other videos need OpenCV,
 * which is loaded when the first one is opened.
 */
export declare class Camera extends EventEmitter<CameraEvents> implements AsyncIterable<CameraFrame> {
  private constructor()
  /**
   * Starts to read `source`: a camera's number (`'0'`), an address (`rtsp://user:password@host/path`), a video file or
   * a folder of pictures. When it cannot be opened, `state` says so and the iterator throws.
   */
  static open(source: string, options?: CameraOptions): Camera
  /** The source, without credentials. */
  get source(): string
  get health(): CameraHealth
  /** Stops it; resolves when its threads are at rest, within a second. */
  stop(): Promise<void>
  /** Leaving the loop stops the camera. */
  [Symbol.asyncIterator](): AsyncIterableIterator<CameraFrame>
}

export declare namespace models {
  export interface PullOptions extends FolderOptions {
    /** For packs whose licence has to be accepted: that the user has read and accepted it. Default false. */
    acceptLicense?: boolean
    /** Called as bytes arrive, and ten times a second while none do. */
    onProgress?: (progress: PullProgress) => void
  }
}

