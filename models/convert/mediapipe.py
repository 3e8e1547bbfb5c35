"""The two MediaPipe networks of the default pack: the BlazeFace detector and the face mesh."""

from onnx_graph import OnnxGraph
from tfjs_graph import TfjsModel, Translator

MESH_SIZE = 192
MESH_POINTS = 468


def convert_blazeface(model_json, path, metadata):
    """BlazeFace for back cameras. Fully convolutional, so any size that is a multiple of 32 will do.

    A head's rows run over cells row by row, the anchors of one cell next to each other: 2 at stride 16, 6 at stride 32.
    Scores are raw: apply the logistic function. A box row is center x, y, width, height and six points x, y, all in
    pixels of the input, center and points relative to the center of the cell.
    """
    graph = OnnxGraph("blazeface")
    translator = Translator(TfjsModel(model_json), graph, "image", multiple=32)
    translator.output("Identity", "scores_16")
    translator.output("Identity_2", "boxes_16")
    translator.output("Identity_1", "scores_32")
    translator.output("Identity_3", "boxes_32")
    graph.save(
        path,
        [("image", [1, 3, "height", "width"])],
        [
            ("scores_16", [1, "anchors_16", 1]),
            ("boxes_16", [1, "anchors_16", 16]),
            ("scores_32", [1, "anchors_32", 1]),
            ("boxes_32", [1, "anchors_32", 16]),
        ],
        metadata,
    )


def convert_face_mesh(model_json, path, metadata):
    """Face mesh: 468 points and whether the crop holds a face at all.

    `points` are x, y, z in pixels of the crop, z growing away from the camera; `presence` is a probability, the
    logistic function being part of the original. The original's third output, contours, is left out.
    """
    graph = OnnxGraph("face-mesh")
    translator = Translator(TfjsModel(model_json), graph, "image", multiple=MESH_SIZE)
    translator.output("Identity_2", "points")
    translator.output("Identity_1", "presence")
    graph.save(
        path,
        [("image", ["N", 3, MESH_SIZE, MESH_SIZE])],
        [("points", ["N", 3 * MESH_POINTS]), ("presence", ["N", 1])],
        metadata,
    )
