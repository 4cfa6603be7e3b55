// Pass: the tensors that train a layer's weight become those that the packed file holds.
#include "encodings/encoding.h"
#include "graph/node_rows.h"
#include "graph/passes/passes.h"

namespace tbn {

void pack_tiles(Model& model) {
  for (Node& node : model.graph.nodes) {
    WeightEncoding* encoding = weights_of(node.op);
    if (encoding == nullptr) continue;
    EditableTensors tensors(model.tensors, node.name);
    encoding_of(*encoding).pack(*encoding, dims_of(model.graph, node), tensors);
  }
}

}  // namespace tbn
