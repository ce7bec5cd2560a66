"""Cases of losses, and of norms that are written as other norms."""

from graphs import *

# PyTorch writes to the running statistics, which are inputs here.
OWN["aten._native_batch_norm_legit.default"] = lambda running_mean, running_var, **rest: (
    aten._native_batch_norm_legit(
        running_mean=running_mean.clone(), running_var=running_var.clone(), **rest))


def losses():
    for reduction in [0, 1, 2]:
        pair = dict(self=lambda: rand(3, 4), target=lambda: rand(3, 4), reduction=reduction)
        for name in ["l1_loss", "mse_loss"]:
            op(name, f"{reduction}", **pair)
        op("smooth_l1_loss", f"{reduction}", **pair, beta=0.7)
        op("huber_loss", f"{reduction}", **pair, delta=0.7)
        op("kl_div", f"{reduction}", self=lambda: -positive(3, 4), target=lambda: positive(3, 4),
           reduction=reduction)
        op("kl_div", f"logarithms {reduction}", self=lambda: -positive(3, 4),
           target=lambda: -positive(3, 4), reduction=reduction, log_target=True)
        op("binary_cross_entropy", f"{reduction}", self=lambda: torch.rand(3, 4),
           target=lambda: torch.rand(3, 4), weight=lambda: positive(3, 4), reduction=reduction)
        op("binary_cross_entropy_with_logits", f"{reduction}", **pair, weight=None,
           pos_weight=lambda: positive(4))
        op("hinge_embedding_loss", f"{reduction}", self=lambda: rand(6), margin=0.8,
           target=tensor([1.0, -1, -1, 1, 1, -1]), reduction=reduction)
        op("margin_ranking_loss", f"{reduction}", input1=lambda: rand(6), input2=lambda: rand(6),
           target=tensor([1.0, -1, -1, 1, 1, -1]), margin=0.3, reduction=reduction)
        for swap in [False, True]:
            op("triplet_margin_loss", f"{reduction} {swap}", anchor=lambda: rand(5, 4),
               positive=lambda: rand(5, 4), negative=lambda: rand(5, 4), margin=0.9, swap=swap,
               reduction=reduction)
        op("cosine_embedding_loss", f"{reduction}", input1=lambda: rand(4, 5),
           input2=lambda: rand(4, 5), target=tensor([1, -1, -1, 1], i64), margin=0.1,
           reduction=reduction)
    op("smooth_l1_loss", "beta 0", self=lambda: rand(5), target=lambda: rand(5), beta=0.0)
    op("mse_loss", "empty", self=lambda: rand(0), target=lambda: rand(0))
    op("kl_div", "zeros", self=lambda: rand(4), target=tensor([0.0, 1, 0, 0.5]), reduction=0)
    op("binary_cross_entropy", "ends", self=tensor([0.0, 1, 0, 1]), target=tensor([0.0, 0, 1, 1]),
       reduction=0)
    op("binary_cross_entropy_with_logits", "large", self=tensor([-200.0, 200]),
       target=tensor([1.0, 0]), reduction=0)
    op("cosine_similarity", x1=lambda: rand(3, 4, 2), x2=lambda: rand(3, 4, 2))
    op("cosine_similarity", "broadcast", x1=lambda: rand(3, 4), x2=lambda: rand(1, 4), dim=-1)
    op("cosine_similarity", "zero", x1=torch.zeros(2, 3), x2=lambda: rand(2, 3))
    classes()
    norms()


def classes():
    target = tensor([1, 4, -100, 0], i64)
    for reduction in [0, 1, 2]:
        for weight in [None, lambda: positive(5)]:
            label = f"{reduction} {weight is not None}"
            arguments = dict(target=target, weight=weight, reduction=reduction, ignore_index=-100)
            op("nll_loss_forward", label, self=lambda: -positive(4, 5), **arguments)
            op("cross_entropy_loss", label, self=lambda: rand(4, 5), **arguments)
            op("cross_entropy_loss", f"smooth {label}", self=lambda: rand(4, 5), **arguments,
               label_smoothing=0.2)
            op("cross_entropy_loss", f"probabilities {label}", self=lambda: rand(4, 5),
               target=lambda: torch.softmax(rand(4, 5), 1), weight=weight, reduction=reduction,
               label_smoothing=0.1)
    op("cross_entropy_loss", "images", self=lambda: rand(2, 3, 2, 2),
       target=lambda: torch.randint(0, 3, (2, 2, 2)))
    op("cross_entropy_loss", "one", self=lambda: rand(5), target=tensor(3, i64))
    op("nll_loss_nd", self=lambda: -positive(2, 3, 4), target=lambda: torch.randint(0, 3, (2, 4)))
    op("nll_loss_nd", "ignored", self=lambda: -positive(4, 5), target=tensor([1, 4, 3, 0], i64), ignore_index=4)


def norms():
    for training in [True, False]:
        arguments = dict(input=lambda: rand(4, 3, 2), weight=lambda: rand(3), bias=lambda: rand(3),
                         running_mean=lambda: rand(3), running_var=lambda: positive(3),
                         training=training, momentum=0.3, eps=1e-3)
        op("_native_batch_norm_legit_functional", f"{training}", **arguments)
        op("_native_batch_norm_legit", f"{training}", **arguments)
        op("instance_norm", f"running {not training}", input=lambda: rand(2, 3, 4),
           weight=lambda: rand(3), bias=lambda: rand(3),
           running_mean=None if training else lambda: rand(3),
           running_var=None if training else lambda: positive(3), use_input_stats=training,
           momentum=0.1, eps=1e-3, cudnn_enabled=False)
    op("instance_norm", "images", input=lambda: rand(2, 3, 4, 5), weight=None, bias=None,
       running_mean=None, running_var=None, use_input_stats=True, momentum=0.1, eps=1e-5,
       cudnn_enabled=False)
